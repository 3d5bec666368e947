"""Pure arithmetic of availability: no input or output, no clock, no SQL; `now` is passed in."""
