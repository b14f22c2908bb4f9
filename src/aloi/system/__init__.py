"""What is assessed: `system.yaml`, its fingerprint, what is said to it, and the port through which it is asked."""
