"""Tests of ours that each project runs among its own, to show that the adoption has an effect."""
