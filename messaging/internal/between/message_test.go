package between

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
)

func TestParseReadsWhatAppendWrites(t *testing.T) {
	full := Message{Kind: Outcome, Stream: 1 << 60, Number: 7, AckStream: 9, Acked: 300, Again: 1, Token: 5, User: []byte("bob"), Room: []byte("tea"),
		Body: bytes.Repeat([]byte("x"), 300), List: []byte{1}, Result: Refused, Device: []byte("bob/phone"), Code: 1012, Reason: []byte("no"),
		Stamp: 1 << 63, Due: 1, Until: 2, Epoch: 4, Offset: 5, Members: 6}
	for i := range reflect.TypeFor[Message]().NumField() {
		if reflect.ValueOf(full).Field(i).IsZero() {
			t.Fatalf("the test does not fill %s", reflect.TypeFor[Message]().Field(i).Name)
		}
	}
	for _, m := range []Message{full, {Kind: Hail}, {Kind: 200, Token: 1}} {
		got, err := Parse(Append(nil, &m))
		if err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("got %+v, %v, want %+v", got, err, m)
		}
	}
}

func TestParseSkipsFieldsThatItDoesNotKnow(t *testing.T) {
	body := append(Append(nil, &Message{Kind: Push, Token: 7}), 99, 3, 'a', 'b', 'c')
	if m, err := Parse(body); err != nil || m.Token != 7 {
		t.Errorf("got %+v, %v", m, err)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct {
		body string
		want error
	}{
		{"", ErrTruncated}, {"\x01", ErrTruncated}, {"\x02\x01", ErrVersion}, {"\x01\x01\x05", ErrTruncated}, {"\x01\x01\x05\x02\x01", ErrTruncated},
		{"\x01\x01\x07\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", ErrTruncated}, {"\x01\x01\x06\x00", ErrField}, {"\x01\x01\x06\x02\x01\x01", ErrField},
	} {
		if _, err := Parse([]byte(c.body)); !errors.Is(err, c.want) {
			t.Errorf("%x: %v, want %v", c.body, err, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(Append(nil, &Message{Kind: Push, Stream: 1, Number: 2, Token: 3, User: []byte("bob"), Body: []byte("hi")}))
	f.Add(Append(nil, &Message{Kind: Located, User: []byte("bob"), List: AppendSession(nil, "bob/phone", 1<<40), Stamp: 5}))
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := Parse(body)
		if err != nil {
			return
		}
		for rest, ok := m.List, true; ok; {
			_, _, rest, ok = NextSession(rest)
		}
		again, err := Parse(Append(nil, &m))
		if err != nil || !bytes.Equal(Append(nil, &again), Append(nil, &m)) {
			t.Errorf("%x: %+v, again %+v, %v", body, m, again, err)
		}
		NewStream(1).Take(&m)
	})
}

// A message costs the memory of its frame.
func TestAppendAllocatesTheFrameAlone(t *testing.T) {
	m := Message{Kind: Push, Stream: 1, Number: 2, Token: 3, User: []byte("bob"), Body: make([]byte, 200)}
	var b []byte
	if n := testing.AllocsPerRun(100, func() { b = Append(nil, &m) }); n > 1 {
		t.Errorf("%v allocations", n)
	}
	if n := testing.AllocsPerRun(100, func() { _, _ = Parse(b) }); n > 0 {
		t.Errorf("Parse: %v allocations", n)
	}
}
