"""The version of what is stored: older forms are brought up to date, newer ones refused."""
