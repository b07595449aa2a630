package codec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"testing"
)

// sampleFrames is one frame of every kind, the seeds of the fuzz targets.
func sampleFrames() [][]byte {
	hello, _ := AppendHello(nil, &sampleHello)
	welcome, _ := AppendWelcome(nil, &sampleWelcome)
	goAway, _ := AppendGoAway(nil, &sampleGoAway)
	nack, _ := AppendNack(nil, &sampleNack)
	renewal, _ := AppendRenewal(nil, 43, 1, []byte("new"))
	return [][]byte{hello, welcome, AppendPing(nil, 42, 0), renewal, AppendPong(nil, samplePong),
		AppendSend(nil, 1, []byte("up")), AppendDeliver(nil, 2, []byte("down")),
		AppendRequest(nil, Send, 3, []byte("how late is it?")), AppendReply(nil, Deliver, 3, []byte("noon")),
		AppendAck(nil, sampleAck), nack, goAway, AppendBye(nil), AppendFrame(nil, 200, FlagIgnorable, []byte("new"))}
}

// FuzzSplit: the same bytes give the same frames and the same end however they arrive,
// although the reader below does as servers do and does not ask again before the size
// that ErrIncomplete named is there.
func FuzzSplit(f *testing.F) {
	all := bytes.Join(sampleFrames(), nil)
	f.Add(all, []byte{1})
	f.Add(all, []byte{7, 1, 200})
	f.Add(all[:len(all)-1], []byte{3})
	f.Add(append(bytes.Clone(all), "garbage"...), []byte{2, 5})
	f.Fuzz(func(t *testing.T, stream, cuts []byte) {
		wantFrames, wantLeft, wantErr := readWhole(t, stream)
		frames, left, err := readSplit(stream, cuts)
		if !bytes.Equal(frames, wantFrames) || left != wantLeft {
			t.Fatalf("cuts %v: frames %x and %d bytes left, want %x and %d", cuts, frames, left, wantFrames, wantLeft)
		}
		if err.Error() != wantErr.Error() {
			t.Fatalf("cuts %v: ends with %v, want %v", cuts, err, wantErr)
		}
	})
}

const fuzzLimit = 300 // bytes of payload; small, so that the fuzzer meets it

// readWhole decodes a stream that is all there and returns its frames, encoded again,
// the bytes that are left and what stopped it.
func readWhole(t *testing.T, stream []byte) (frames []byte, left int, err error) {
	for {
		f, size, err := Decode(stream, fuzzLimit)
		if errors.Is(err, ErrIncomplete) {
			checkNeed(t, stream, size)
		}
		if err != nil {
			return frames, len(stream), err
		}
		frames = AppendFrame(frames, f.Type, f.Flags, f.Payload)
		stream = stream[size:]
	}
}

// readSplit decodes a stream that arrives in pieces as long as the bytes of cuts.
func readSplit(stream, cuts []byte) (frames []byte, left int, err error) {
	need, arrived := 0, 0
	for i := 0; arrived < len(stream); i++ {
		piece := 1
		if len(cuts) > 0 {
			piece = max(1, int(cuts[i%len(cuts)]))
		}
		arrived = min(arrived+piece, len(stream))
		for arrived >= need {
			f, size, err := Decode(stream[:arrived], fuzzLimit)
			if errors.Is(err, ErrIncomplete) {
				need = size
				break
			}
			if err != nil {
				return frames, len(stream), err
			}
			frames = AppendFrame(frames, f.Type, f.Flags, f.Payload)
			stream, arrived, need = stream[size:], arrived-size, 0
		}
	}
	_, _, err = Decode(stream, fuzzLimit)
	return frames, len(stream), err
}

// checkNeed holds Decode to its word: no bytes that bring b to less than size make a
// frame, and with a whole header some that bring it to size do.
func checkNeed(t *testing.T, b []byte, size int) {
	if size <= len(b) || size > fuzzLimit+Overhead {
		t.Fatalf("%d bytes are there, %d are said to be needed", len(b), size)
	}
	filled := make([]byte, size)
	copy(filled, b)
	if f, _, err := Decode(filled[:size-1], fuzzLimit); err == nil {
		t.Fatalf("%d bytes are said to be needed, %d gave %v", size, size-1, f)
	}
	if len(b) < HeaderLen {
		return
	}
	whole := finish(filled[:size-TrailerLen:size-TrailerLen], 0)
	if _, got, err := Decode(whole, fuzzLimit); err != nil || got != size {
		t.Fatalf("%d bytes are said to be needed and gave size %d, %v", size, got, err)
	}
}

// FuzzDecode: no bytes panic, none allocate by the length they declare, and an accepted
// frame encodes to the bytes it came from.
func FuzzDecode(f *testing.F) {
	for _, frame := range sampleFrames() {
		f.Add(frame, MaxPayload)
		f.Add(frame[:len(frame)-1], 1<<30)
	}
	f.Add([]byte{Magic, 0x10, 5, 0, 0x3f, 0xff, 0xff, 0xff}, 1<<30)
	f.Fuzz(func(t *testing.T, b []byte, limit int) {
		var frame Frame
		var size int
		var err error
		// Other goroutines of the process allocate too: the least of three tries counts.
		const most = 2 << 10 // an error with its text
		used := uint64(most + 1)
		for try := 0; try < 3 && used > most; try++ {
			used = allocated(func() { frame, size, err = Decode(b, limit) })
		}
		if used > most {
			t.Fatalf("Decode of %d bytes allocated %d", len(b), used)
		}
		if err != nil {
			return
		}
		if again := AppendFrame(nil, frame.Type, frame.Flags, frame.Payload); !bytes.Equal(again, b[:size]) {
			t.Fatalf("%x is accepted and encodes to %x", b[:size], again)
		}
	})
}

// FuzzMessages: what a Parse function accepts encodes to something that says the same,
// and to the very same bytes exactly if they were canonical.
func FuzzMessages(f *testing.F) {
	for _, frame := range sampleFrames() {
		f.Add(frame[2], frame[3], frame[HeaderLen:len(frame)-TrailerLen])
	}
	f.Add(byte(Hello), byte(0), append(make([]byte, 24), 9, 0, 1, 1, 1, 0, 1, 'a', 2, 0, 0))
	f.Fuzz(func(t *testing.T, typ, flags byte, p []byte) {
		first, ok := reencode(t, Type(typ), Flags(flags), p)
		if !ok {
			return
		}
		second, ok := reencode(t, Type(typ), Flags(flags), first)
		if !ok || !bytes.Equal(first, second) {
			t.Fatalf("%v %x encodes to %x and that to %x (%v)", Type(typ), p, first, second, ok)
		}
		if same, want := bytes.Equal(first, p), canonical(Type(typ), p); same != want {
			t.Fatalf("%v %x: canonical %v, but encodes to %x", Type(typ), p, want, first)
		}
	})
}

// reencode parses a payload and encodes what was understood.
func reencode(t *testing.T, typ Type, flags Flags, p []byte) ([]byte, bool) {
	var frame []byte
	var err, encodeErr error
	switch typ {
	case Hello:
		var m HelloMessage
		if m, err = ParseHello(p); err == nil {
			frame, encodeErr = AppendHello(nil, &m)
		}
	case Welcome:
		var m WelcomeMessage
		if m, err = ParseWelcome(p); err == nil {
			frame, encodeErr = AppendWelcome(nil, &m)
		}
	case Ping:
		var token uint64
		var applied uint16
		if token, applied, err = ParsePing(p); err == nil {
			frame, encodeErr = AppendRenewal(nil, token, applied, Renewal(p))
		}
	case Pong:
		var m PongMessage
		m, err = ParsePong(p)
		frame = AppendPong(nil, m)
	case Send, Deliver:
		var id uint64
		var body []byte
		switch flags {
		case 0:
			id, body, err = ParseMessage(p)
			frame = appendNumbered(nil, typ, 0, id, body)
		case FlagWantsReply:
			id, body, err = ParseRequest(p)
			frame = AppendRequest(nil, typ, id, body)
		case FlagReply:
			id, body, err = ParseReply(p)
			frame = AppendReply(nil, typ, id, body)
		default:
			return nil, false
		}
	case Ack:
		var m AckMessage
		m, err = ParseAck(p)
		frame = AppendAck(nil, m)
	case Nack:
		var m NackMessage
		if m, err = ParseNack(p); err == nil {
			frame, encodeErr = AppendNack(nil, &m)
		}
	case GoAway:
		var m GoAwayMessage
		if m, err = ParseGoAway(p); err == nil {
			frame, encodeErr = AppendGoAway(nil, &m)
		}
	default:
		return nil, false
	}
	if err != nil {
		return nil, false
	}
	if typ != Send && typ != Deliver {
		flags = 0
	}
	return payloadWith(t, typ, flags, frame, encodeErr), true
}

// canonical tells from the bytes alone whether an accepted payload is the one form that
// the encoder writes: reserved bytes zero, and the entries that the message lists, in
// that order, none empty, none other.
func canonical(typ Type, p []byte) bool {
	reserved, fixed, entries := p[:0:0], len(p), ""
	switch typ {
	case Hello:
		reserved, fixed, entries = append(p[2:4:4], p[20:24]...), 24, "\x01\x02\x03\x04"
	case Welcome:
		reserved, fixed, entries = append(p[1:4:4], p[42:44]...), 52, "\x05\x03\x06\x08\x09"
	case Ping:
		reserved, fixed, entries = p[10:12], 12, "\x02"
	case Pong:
		reserved, fixed, entries = p[26:28], 28, "\x08\x09"
	case Ack:
		reserved = p[17:20]
	case Nack:
		reserved, fixed, entries = p[10:12], 12, "\x07"
	case GoAway:
		reserved, fixed, entries = p[2:4], 12, "\x04\x06\x07"
	}
	for _, b := range reserved {
		if b != 0 {
			return false
		}
	}
	next := 0
	for tail := p[fixed:]; len(tail) > 0; {
		n := int(binary.BigEndian.Uint16(tail[1:]))
		at := bytes.IndexByte([]byte(entries[next:]), tail[0])
		if at < 0 || n == 0 || tail[0] == byte(tlvLimits) && (n != limitsLen || bytes.Count(tail[3:3+n], []byte{0}) == n) {
			return false
		}
		if tail[0] == byte(tlvExpires) {
			ms := binary.BigEndian.Uint64(tail[3:])
			if ms == 0 || ms > math.MaxInt64/1_000_000 && ms != math.MaxUint64 {
				return false
			}
		}
		next += at + 1
		tail = tail[3+n:]
	}
	return true
}
