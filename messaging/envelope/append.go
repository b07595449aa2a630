package envelope

import (
	"encoding/binary"
	"fmt"
	"time"
)

// maxLife is the longest Life: beyond it a Duration ends.
const maxLife = 100 * 365 * 24 * time.Hour

// Append appends the body that e describes to dst. Zero fields are left out; those that e.Kind does not
// have are not looked at. With an error dst is returned as it was.
func Append(dst []byte, e *Envelope) ([]byte, error) {
	if !e.Kind.Known() {
		return dst, fmt.Errorf("%w: %d", ErrKind, e.Kind)
	}
	if err := e.checkWhole(); err != nil {
		return dst, err
	}
	start := len(dst)
	if dst == nil {
		dst = make([]byte, 0, e.most())
	}
	dst = append(dst, Version, byte(e.Kind), byte(e.Flags), 0, 0)
	w := writer{dst: dst, kind: e.Kind}
	w.addNames(e)
	w.addTimes(e)
	w.addWords(e)
	if w.err == nil {
		w.err = wantAll(kindRules[e.Kind].must, w.seen, e.Kind)
	}
	if w.err != nil {
		return dst[:start], w.err
	}
	binary.BigEndian.PutUint16(w.dst[start+3:], uint16(len(w.dst)-start-headerLen))
	return append(w.dst, e.Content...), nil
}

// most is as many bytes as e takes, or some more: a body that waits for long has one allocation of its size.
func (e *Envelope) most() int {
	n := headerLen + len(e.Content)
	for _, text := range [...][]byte{e.User, e.Room, e.Reason, e.Device, e.Prefix, e.After} {
		if len(text) > 0 {
			n += entryLen + len(text)
		}
	}
	if len(e.ID.Sender) > 0 {
		n += entryLen + idFixed + len(e.ID.Sender)
	}
	if e.Position != (Position{}) {
		n += entryLen + 16
	}
	for _, there := range [...]bool{!e.Time.IsZero(), !e.Taken.IsZero(), !e.At.IsZero(), e.Life != 0, e.Stamp != 0, e.Count != 0} {
		if there {
			n += entryLen + 8
		}
	}
	if e.State != 0 || e.Code != 0 || e.Question != 0 || e.Limit != 0 {
		n += 4*entryLen + 6
	}
	return n
}

// Mark sets PossiblyKnown in a body that Append made.
func Mark(body []byte) { body[2] |= byte(PossiblyKnown) }

// writer appends the entries of one head.
type writer struct {
	dst  []byte
	kind Kind
	seen fieldSet
	err  error
}

func (w *writer) addNames(e *Envelope) {
	w.bytes(fieldUser, e.User)
	w.bytes(fieldRoom, e.Room)
	if len(e.ID.Sender) > 0 && w.begin(fieldID, idFixed+len(e.ID.Sender)) {
		w.dst = binary.BigEndian.AppendUint64(w.dst, e.ID.Incarnation)
		w.dst = binary.BigEndian.AppendUint64(w.dst, e.ID.Number)
		w.dst = append(w.dst, e.ID.Sender...)
		w.fail(checkText("sender", e.ID.Sender))
	}
	if e.Position != (Position{}) && w.begin(fieldPosition, 16) {
		w.dst = binary.BigEndian.AppendUint64(w.dst, e.Position.Epoch)
		w.dst = binary.BigEndian.AppendUint64(w.dst, e.Position.Offset)
		if e.Position.Epoch == 0 {
			w.fail(fmt.Errorf("%w: position with the epoch 0", ErrField))
		}
	}
}

func (w *writer) addTimes(e *Envelope) {
	w.time(fieldTime, e.Time)
	w.time(fieldTaken, e.Taken)
	w.time(fieldAt, e.At)
	if e.Life != 0 && w.begin(fieldLife, 8) {
		if e.Life < time.Millisecond || e.Life > maxLife {
			w.fail(fmt.Errorf("%w: life of %v", ErrField, e.Life))
		}
		w.dst = binary.BigEndian.AppendUint64(w.dst, uint64(e.Life.Milliseconds()))
	}
}

func (w *writer) addWords(e *Envelope) {
	w.number(fieldState, uint64(e.State), 1)
	w.number(fieldCode, uint64(e.Code), 2)
	w.bytes(fieldReason, e.Reason)
	w.bytes(fieldDevice, e.Device)
	w.number(fieldStamp, e.Stamp, 8)
	w.number(fieldQuestion, uint64(e.Question), 1)
	w.bytes(fieldPrefix, e.Prefix)
	w.bytes(fieldAfter, e.After)
	w.number(fieldLimit, uint64(e.Limit), 2)
	w.number(fieldCount, e.Count, 8)
}

// begin appends an entry's type and length, if the kind has the field.
func (w *writer) begin(f field, size int) bool {
	rules := &kindRules[w.kind]
	if w.err != nil || !(rules.must | rules.may).has(f) {
		return false
	}
	if rule := &fieldRules[f]; size < rule.min || size > rule.max {
		w.fail(fmt.Errorf("%w: %s of %d bytes, want %d to %d", ErrField, rule.name, size, rule.min, rule.max))
		return false
	}
	w.seen |= 1 << f
	w.dst = append(w.dst, byte(f), byte(size))
	return true
}

func (w *writer) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

func (w *writer) bytes(f field, v []byte) {
	if len(v) > 0 && w.begin(f, len(v)) {
		w.dst = append(w.dst, v...)
		w.fail(check(f, v))
	}
}

func (w *writer) number(f field, v uint64, size int) {
	if v != 0 && w.begin(f, size) {
		for shift := 8 * (size - 1); shift >= 0; shift -= 8 {
			w.dst = append(w.dst, byte(v>>shift))
		}
	}
}

func (w *writer) time(f field, t time.Time) {
	if t.IsZero() || !w.begin(f, 8) {
		return
	}
	ms := t.UnixMilli()
	if ms <= 0 || ms > MaxTime {
		w.fail(fmt.Errorf("%w: %s is %v", ErrField, fieldRules[f].name, t))
	}
	w.dst = binary.BigEndian.AppendUint64(w.dst, uint64(ms))
}
