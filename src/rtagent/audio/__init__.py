"""Audio parts: formats, signal parts, sources, sinks and devices. Nothing is loaded until it is asked for."""
