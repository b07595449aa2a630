// Package tlsrecord is the record layer of TLS 1.3 (RFC 8446, sections 5, 4.6 and 6) for all
// connections of a loop, from the end of their handshakes on. It is pure: bytes come in, bytes and
// decisions go out.
//
//	layer := tlsrecord.New(false)               // one a loop; false: the server's side
//	prepared, err := tlsrecord.Prepare(false, keys, written)
//	layer.Install(slot, prepared)               // a handshake has ended
//	opened, err := layer.Open(slot, plain, wire)
//	dst = layer.Seal(slot, dst, plain)
//	dst = layer.Close(slot, dst)                // close_notify, or the alert of an error
//	layer.End(slot)
//
// It does no handshake: package handshake has that done by crypto/tls and takes the secrets from
// there.
//
// # What it costs
//
// A connection is 144 bytes without pointers with AES-128, 176 with ChaCha20 and 208 with AES-256, in chunks.
// Its AEADs, which are some 800 bytes each, are made when they are needed, and kept for the connections that came
// last and for those that are busy.
//
// # What it refuses
//
// Whatever is not a record that TLS 1.3 allows after the handshake ends the connection with the
// alert that the RFC names. Beyond the RFC it bounds what costs work and brings nothing: 16 records
// without content in a row, and 32 KeyUpdates, one more for every 64 records between them.
package tlsrecord
