package tlsrecord

import (
	"bytes"
	"errors"
	"testing"

	"github.com/stormwheel/stormwheel/internal/transport"
)

// Records that are cut, changed, left out, sent twice or swapped: what is opened is the beginning of
// what was sealed, whatever happens, and without a change all of it.
func FuzzOpenNeverGivesWhatWasNotSealed(f *testing.F) {
	f.Add(uint8(0), []byte{1, 20, 3, 5, 2, 0, 0, 9})
	f.Add(uint8(1), []byte{4, 1, 5, 1, 6, 1, 1, 1, 1, 200})
	f.Add(uint8(2), []byte{3, 0, 7, 9, 8, 1, 1, 1})
	f.Fuzz(func(t *testing.T, which uint8, script []byte) {
		client, server := pair(t, allSuites[int(which)%3])
		script = script[:min(len(script), 200)] // longer ones are megabytes, and say no more
		var sealed, got, wire []byte
		changed := false
		for i := 0; i+1 < len(script); i += 2 {
			arg := int(script[i+1])
			switch script[i] % 9 {
			case 1, 2:
				text := bytes.Repeat([]byte{byte(i)}, arg*arg)
				sealed = append(sealed, text...)
				wire = client.Seal(client.slot, wire, text)
			case 3:
				wire = append(wire, client.update(byte(arg%2))...)
			case 4:
				wire = append(wire, client.forge(typeData, nil, arg)...)
			case 5:
				text := bytes.Repeat([]byte{byte(i)}, arg)
				sealed = append(sealed, text...)
				wire = append(wire, client.forge(typeData, text, arg)...)
			case 6: // a bit
				if len(wire) > 0 {
					wire[arg*7%len(wire)] ^= 1 << (arg % 8)
					changed = true
				}
			case 7: // some bytes twice, or not at all
				n := min(arg, len(wire))
				if arg%2 == 0 {
					wire = append(wire, wire[:n]...)
				} else {
					wire = wire[n:]
				}
				changed = changed || n > 0
			default: // what is there arrives, but for a tail
				n := max(len(wire)-arg, 0)
				if plain, ok := server.Whole(server.slot, got, wire[:n]); ok {
					got, wire = plain, wire[n:]
					continue
				}
				o, err := server.Open(server.slot, got, wire[:n])
				got, wire = o.Plain, wire[o.Used:]
				if err == nil && o.Need <= n-o.Used {
					t.Fatalf("it needs %d of the %d bytes that are there", o.Need, n-o.Used)
				}
				if err != nil {
					var fault *Fault
					if errors.As(err, &fault) == errors.Is(err, transport.ErrEnd) {
						t.Fatalf("%v", err)
					}
					if !changed && fault.Alert == BadRecordMAC {
						t.Fatal(err)
					}
					if !bytes.HasPrefix(sealed, got) {
						t.Fatal("it opened what was not sealed")
					}
					return
				}
			}
		}
		if !bytes.HasPrefix(sealed, got) {
			t.Fatal("it opened what was not sealed")
		}
	})
}

// Handshake messages of any kind in records of any cut: no panic, no buffer without bound.
func FuzzMessages(f *testing.F) {
	f.Add([]byte{messageTicket, 0, 0, 3, 1, 2, 3, messageKeyUpdate, 0, 0, 1, 1}, uint8(3))
	f.Add(bytes.Repeat([]byte{messageTicket, 0, 0, 0}, 30), uint8(1))
	f.Fuzz(func(t *testing.T, b []byte, piece uint8) {
		client, server := pair(t, allSuites[0])
		for len(b) > 0 {
			n := min(int(piece)+1, len(b))
			_, _, err := client.open(server.forge(typeMessage, b[:n], 0))
			if held := client.Held(client.slot); held > maxMessage+maxPlain {
				t.Fatalf("%d bytes held", held)
			}
			if err != nil {
				return
			}
			b = b[n:]
		}
	})
}
