package tlsrecord

import (
	"encoding/hex"
	"strings"
	"testing"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The example of RFC 8448, section 3: keys of the traffic secrets, and the records under them.
func TestTheExampleOfRFC8448(t *testing.T) {
	keys := Keys{
		Suite: AES128GCM,
		Client: unhex(t, `9e 40 64 6c e7 9a 7f 9d c0 5a f8 88 9b ce 65 52 87 5a fa 0b 06 df 00 87
			f7 92 eb b7 c1 75 04 a5`),
		Server: unhex(t, `a1 1a f9 f0 55 31 f8 56 ad 47 11 6b 45 a9 50 32 82 04 b4 f4 4b fb 6b 3a
			4b 4f 1f 3f cb 63 16 43`),
	}
	client, server := New(true), New(false)
	if err := client.begin(0, keys); err != nil {
		t.Fatal(err)
	}
	if err := server.begin(0, keys); err != nil {
		t.Fatal(err)
	}
	v, _ := server.find(0)
	v.seq[outgoing] = 1 // its ticket
	c, p := client.find(0)
	key := func(d direction) string { return hex.EncodeToString(c.of().keyOf(client.keys(p), d)) }
	if got, want := key(outgoing)+hex.EncodeToString(c.iv[outgoing][:]),
		"17422dda596ed5d9acd890e3c63f5051"+"5b78923dee08579033e523d9"; got != want {
		t.Errorf("the client's key and iv %s, want %s", got, want)
	}
	if got, want := key(incoming)+hex.EncodeToString(c.iv[incoming][:]),
		"9f02283b6c9c07efc26bb9f2ac92e356"+"cf782b88dd83549aadf1e984"; got != want {
		t.Errorf("the server's key and iv %s, want %s", got, want)
	}
	data := make([]byte, 50)
	for i := range data {
		data[i] = byte(i)
	}
	want := unhex(t, `17 03 03 00 43 a2 3f 70 54 b6 2c 94 d0 af fa fe 82 28 ba 55 cb ef ac ea 42 f9
		14 aa 66 bc ab 3f 2b 98 19 a8 a5 b4 6b 39 5b d5 4a 9a 20 44 1e 2b 62 97 4e 1f 5a 62 92 a2 97
		70 14 bd 1e 3d ea e6 3a ee bb 21 69 49 15 e4`)
	if got := client.Seal(0, nil, data); hex.EncodeToString(got) != hex.EncodeToString(want) {
		t.Errorf("the client's record\n%x, want\n%x", got, want)
	}
	want = unhex(t, `17 03 03 00 43 2e 93 7e 11 ef 4a c7 40 e5 38 ad 36 00 5f c4 a4 69 32 fc 32 25
		d0 5f 82 aa 1b 36 e3 0e fa f9 7d 90 e6 df fc 60 2d cb 50 1a 59 a8 fc c4 9c 4b f2 e5 f0 a2 1c
		00 47 c2 ab f3 32 54 0d d0 32 e1 67 c2 95 5d`)
	if got := server.Seal(0, nil, data); hex.EncodeToString(got) != hex.EncodeToString(want) {
		t.Errorf("the server's record\n%x, want\n%x", got, want)
	}
	want = unhex(t, `17 03 03 00 13 c9 87 27 60 65 56 66 b7 4d 7f f1 15 3e fd 6d b6 d0 b0 e3`)
	if got := client.Close(0, nil); hex.EncodeToString(got) != hex.EncodeToString(want) {
		t.Errorf("close_notify\n%x, want\n%x", got, want)
	}
}
