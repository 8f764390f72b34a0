"""`python -m noisygan`: the same as the `noisygan` command."""

import sys

from noisygan.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
