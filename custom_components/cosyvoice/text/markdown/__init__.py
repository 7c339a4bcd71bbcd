"""Read Markdown, HTML and LaTeX while they stream; return the text to speak."""
