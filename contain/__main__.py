"""`python3 -m contain`: the same command without the installed script."""

from contain.cli import main

if __name__ == "__main__":
    main()
