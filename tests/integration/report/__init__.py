"""What a run of this suite tells: phases of hosts, a recap at the end, JUnit XML and a page."""
