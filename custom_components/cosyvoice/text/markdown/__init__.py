"""Read Markdown, HTML and LaTeX as they stream, and return the text to speak."""
