"""Read Markdown, HTML and LaTeX while they stream.

Return the text to speak.
"""
