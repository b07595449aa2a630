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
//
// # What RFC 8446 demands after the handshake, and where it is kept
//
//	4.6.1    tickets are for clients, for 7 days at most                 messageBytes; crypto/tls, which gets them
//	4.6.2    no CertificateRequest that nobody has offered to answer     messageBytes
//	4.6.3    a KeyUpdate asks for 0 or 1                                 takeUpdate
//	         one is answered before the next data, many by one           Open
//	         it goes under the old key, what follows under the new one   updateOwn, takeUpdate
//	5        no record in the clear, no change_cipher_spec               recordBytes
//	         no content type but data, alert and handshake               open
//	5.1      nothing comes between the parts of a handshake message      open, Whole
//	         no handshake message goes over a change of keys             messages
//	         the version of a record is not looked at                    recordBytes; it is authenticated
//	         alerts are neither cut nor joined                           heard
//	5.2      2^14+256 bytes of a record, 2^14 of its content             recordBytes, decrypt
//	         what does not open is bad_record_mac                        decrypt
//	5.3      numbers begin at 0 with each key                            derive
//	         and do not wrap                                             decrypt, Whole, seal
//	5.4      padding is taken off, padding alone is a fault              decrypt
//	         so are handshake messages and alerts of no bytes            messages, heard
//	         data of no bytes are none, up to a bound                    open, noteUseless
//	5.5      a key seals fewer than 2^24.5 records                       seal
//	6        a level says nothing, an unknown alert is fatal             heard
//	6.1      close_notify goes before the end, nothing behind it         Close, Seal; package server has it said
//	         what comes behind the peer's is not looked at               transport.Lines
//	6.2      nothing goes behind a fatal alert, of either side           Seal, Close
//	7.2, 7.3 the next secret, and key and iv of each                     update, derive, expandLabel
package tlsrecord
