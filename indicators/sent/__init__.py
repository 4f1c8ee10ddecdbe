"""Figures as other systems send them: read by columns, checked, and recorded through `actions`, good rows kept."""
