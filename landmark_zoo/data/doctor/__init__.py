"""Looks for faults in folders of records and mends what photographs can mend."""
