"""How the weights of the injection detector are made: `make train`. Not part of the wheel."""
