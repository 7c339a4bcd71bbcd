"""Text-to-speech with the CosyVoice voices of Alibaba Cloud Model Studio."""
