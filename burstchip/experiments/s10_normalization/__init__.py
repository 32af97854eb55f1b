"""Supplementary figure S10: with inhibition by bursts, burst probability tells of the dendrite alone."""
