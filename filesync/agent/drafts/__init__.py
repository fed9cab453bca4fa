"""A first contract and mapping, out of what a tracker has: for a person to read, and to change before anything is sent."""
