import sys

from hongyan.cli import main

sys.exit(main())
