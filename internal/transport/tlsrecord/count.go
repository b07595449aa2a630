package tlsrecord

// Sealed counts the records in what a handshake wrote that are sealed under one of its application
// traffic secrets: the sealing goes on behind them.
func Sealed(id uint16, secret, written []byte) (n uint64, err error) {
	index, err := suiteIndex(id)
	if err != nil {
		return 0, err
	}
	h := half{suite: index}
	if len(secret) != h.of().size {
		return 0, ErrSuite
	}
	copy(h.secret[:], secret)
	h.derive()
	defer clear(h.secret[:])
	defer clear(h.key[:])
	aead := h.aead()
	var nonce [nonceBytes]byte
	for len(written) >= headerBytes {
		end := headerBytes + int(written[3])<<8 + int(written[4])
		if len(written) < end {
			break
		}
		if written[0] == typeData {
			if _, err := aead.Open(nil, h.nonce(&nonce), written[headerBytes:end], written[:headerBytes]); err == nil {
				h.seq++
			}
		}
		written = written[end:]
	}
	return h.seq, nil
}
