package envelope

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// Parse reads a body. What it returns are views into body. Fields that the kind does not have are
// skipped, as are those that this version does not know.
func Parse(body []byte) (e Envelope, err error) {
	if len(body) < headerLen {
		return e, fmt.Errorf("%w: %d bytes, want at least %d", ErrTruncated, len(body), headerLen)
	}
	if body[0] != Version {
		return e, fmt.Errorf("%w: %d", ErrVersion, body[0])
	}
	if e.Kind = Kind(body[1]); !e.Kind.Known() {
		return Envelope{}, fmt.Errorf("%w: %d", ErrKind, body[1])
	}
	e.Flags = Flags(body[2])
	n := int(binary.BigEndian.Uint16(body[3:]))
	if len(body)-headerLen < n {
		return Envelope{}, fmt.Errorf("%w: fields of %d bytes, %d left", ErrTruncated, n, len(body)-headerLen)
	}
	if err := e.parseFields(body[headerLen : headerLen+n]); err != nil {
		return Envelope{}, err
	}
	if content := body[headerLen+n:]; len(content) > 0 {
		e.Content = content
	}
	if err := e.checkWhole(); err != nil {
		return Envelope{}, err
	}
	return e, nil
}

func (e *Envelope) parseFields(head []byte) error {
	rules := &kindRules[e.Kind]
	var seen fieldSet
	for len(head) > 0 {
		if len(head) < entryLen || len(head)-entryLen < int(head[1]) {
			return fmt.Errorf("%w: a field at the last %d bytes of the head", ErrTruncated, len(head))
		}
		f, v := field(head[0]), head[entryLen:entryLen+int(head[1]):entryLen+int(head[1])]
		head = head[entryLen+len(v):]
		if f >= 32 || !(rules.must | rules.may).has(f) {
			continue
		}
		if seen.has(f) {
			return fmt.Errorf("%w: %s occurs twice", ErrField, fieldRules[f].name)
		}
		seen |= 1 << f
		if err := check(f, v); err != nil {
			return err
		}
		if err := e.set(f, v); err != nil {
			return err
		}
	}
	return wantAll(rules.must, seen, e.Kind)
}

// wantAll tells the first field that is missing.
func wantAll(must, seen fieldSet, k Kind) error {
	for f := range field(len(fieldRules)) {
		if must.has(f) && !seen.has(f) {
			return fmt.Errorf("%w: %s without %s", ErrField, k, fieldRules[f].name)
		}
	}
	return nil
}

// set takes the value of a field, whose length is right.
func (e *Envelope) set(f field, v []byte) error {
	switch f {
	case fieldUser:
		e.User = v
	case fieldRoom:
		e.Room = v
	case fieldID:
		e.ID = ID{v[idFixed:], binary.BigEndian.Uint64(v), binary.BigEndian.Uint64(v[8:])}
		return checkText("sender", e.ID.Sender)
	case fieldPosition:
		e.Position = Position{binary.BigEndian.Uint64(v), binary.BigEndian.Uint64(v[8:])}
		if e.Position.Epoch == 0 {
			return fmt.Errorf("%w: position with the epoch 0", ErrField)
		}
	case fieldTime:
		return setTime(&e.Time, v)
	case fieldTaken:
		return setTime(&e.Taken, v)
	case fieldAt:
		return setTime(&e.At, v)
	case fieldLife:
		ms, err := millis(v)
		e.Life = time.Duration(min(ms, maxLife.Milliseconds())) * time.Millisecond
		return err
	case fieldState:
		e.State = State(v[0])
		return notZero(f, uint64(e.State))
	case fieldCode:
		e.Code = codec.NackCode(binary.BigEndian.Uint16(v))
	case fieldReason:
		e.Reason = v
	case fieldDevice:
		e.Device = v
	case fieldStamp:
		e.Stamp = binary.BigEndian.Uint64(v)
		return notZero(f, e.Stamp)
	case fieldQuestion:
		e.Question = Question(v[0])
		return notZero(f, uint64(e.Question))
	case fieldPrefix:
		e.Prefix = v
	case fieldAfter:
		e.After = v
	case fieldLimit:
		e.Limit = binary.BigEndian.Uint16(v)
	case fieldCount:
		e.Count = binary.BigEndian.Uint64(v)
	}
	return nil
}

func notZero(f field, v uint64) error {
	if v == 0 {
		return fmt.Errorf("%w: %s is 0", ErrField, fieldRules[f].name)
	}
	return nil
}

func setTime(t *time.Time, v []byte) error {
	ms, err := millis(v)
	*t = time.UnixMilli(ms)
	return err
}

// millis reads a time or a life. It is not 0: what is not said is left out.
func millis(v []byte) (int64, error) {
	ms := binary.BigEndian.Uint64(v)
	if ms == 0 || ms > MaxTime {
		return 0, fmt.Errorf("%w: %d ms is not between 1 and %d", ErrField, ms, int64(MaxTime))
	}
	return int64(ms), nil
}
