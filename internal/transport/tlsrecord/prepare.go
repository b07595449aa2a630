package tlsrecord

import "crypto/cipher"

// Keys are what a handshake leaves.
type Keys struct {
	Suite          uint16 // of TLS 1.3
	Client, Server []byte // the first application traffic secret of each side
}

// Prepared is a connection whose keys have been made, for a Layer to begin. It may be made on any
// goroutine.
type Prepared struct {
	conn conn
	keys [maxKeys]byte
	out  cipher.AEAD
}

// Prepare makes the keys of one side. written is what its handshake wrote: the records in it that
// are sealed under our application traffic secret are counted, and the sealing goes on behind them.
func Prepare(client bool, k Keys, written []byte) (*Prepared, error) {
	index, err := suiteIndex(k.Suite)
	if err != nil {
		return nil, err
	}
	size := suites[index].size
	if len(k.Client) != size || len(k.Server) != size {
		return nil, ErrSuite
	}
	p := &Prepared{conn: conn{suite: index, updates: maxUpdates}}
	c, all := &p.conn, keys(p.keys[:])
	secrets := [directions][]byte{incoming: k.Client, outgoing: k.Server}
	if client {
		secrets = [directions][]byte{incoming: k.Server, outgoing: k.Client}
	}
	for d, secret := range secrets {
		copy(c.of().secretOf(all, direction(d)), secret)
		c.derive(all, direction(d))
	}
	p.out = c.aead(all, outgoing)
	c.countSealed(p.out, written)
	return p, nil
}

// Peer returns the AEAD and the iv under which the peer's first record comes, for who keeps another
// record layer at that state (package handshake, for tickets). It is for a Prepared that is not
// installed.
func (p *Prepared) Peer() (cipher.AEAD, [12]byte) {
	return p.conn.aead(p.keys[:], incoming), p.conn.iv[incoming]
}

// countSealed goes on behind the records in b that are the first ones that we have sealed.
func (c *conn) countSealed(aead cipher.AEAD, b []byte) {
	var nonce [nonceBytes]byte
	for len(b) >= headerBytes {
		end := headerBytes + int(b[3])<<8 + int(b[4])
		if len(b) < end {
			break
		}
		if b[0] == typeData {
			if _, err := aead.Open(nil, c.nonce(outgoing, &nonce), b[headerBytes:end], b[:headerBytes]); err == nil {
				c.seq[outgoing]++
			}
		}
		b = b[end:]
	}
}
