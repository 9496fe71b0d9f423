"""What each method and each proposal puts into a packet's payload: framings as data, their encoder and decoder."""
