"""Hardenings: each changes what the model is shown, so its effect is measured by asking, never by replay."""
