package envelope

import (
	"fmt"
	"unicode"
	"unicode/utf8"
)

// field is the type of an entry of a body's head: one byte type, one byte length, value.
type field uint8

const (
	fieldUser     field = 1
	fieldRoom     field = 2
	fieldID       field = 3
	fieldPosition field = 4
	fieldTime     field = 5
	fieldTaken    field = 6
	fieldAt       field = 7
	fieldLife     field = 8
	fieldState    field = 9
	fieldCode     field = 10
	fieldReason   field = 11
	fieldDevice   field = 12
	fieldStamp    field = 13
	fieldQuestion field = 14
	fieldPrefix   field = 15
	fieldAfter    field = 16
	fieldLimit    field = 17
	fieldCount    field = 18
)

const (
	headerLen = 5  // version, kind, flags, length of the fields
	entryLen  = 2  // type and length of an entry
	idFixed   = 16 // incarnation and number, before the sender
)

// fieldRules say what a value may be. Text ends up in logs and on terminals: it is UTF-8 without control
// characters. No value is empty: what is not there is left out.
var fieldRules = [...]struct {
	name     string
	min, max int
	text     bool
}{
	fieldUser:     {"user", 1, MaxUser, true},
	fieldRoom:     {"room", 1, MaxRoom, true},
	fieldID:       {"id", idFixed + 1, idFixed + MaxSender, false}, // its sender is text
	fieldPosition: {"position", 16, 16, false},
	fieldTime:     {"time", 8, 8, false},
	fieldTaken:    {"taken", 8, 8, false},
	fieldAt:       {"at", 8, 8, false},
	fieldLife:     {"life", 8, 8, false},
	fieldState:    {"state", 1, 1, false},
	fieldCode:     {"code", 2, 2, false},
	fieldReason:   {"reason", 1, MaxReason, true},
	fieldDevice:   {"device", 1, MaxDevice, true},
	fieldStamp:    {"stamp", 8, 8, false},
	fieldQuestion: {"question", 1, 1, false},
	fieldPrefix:   {"prefix", 1, MaxUser, true},
	fieldAfter:    {"after", 1, MaxUser, true},
	fieldLimit:    {"limit", 2, 2, false},
	fieldCount:    {"count", 8, 8, false},
}

// fieldSet is a set of fields.
type fieldSet uint32

func setOf(all ...field) (s fieldSet) {
	for _, f := range all {
		s |= 1 << f
	}
	return s
}

func (s fieldSet) has(f field) bool { return s&(1<<f) != 0 }

// kindRules say which fields a kind must have and which it may have, and whether it has content.
var kindRules = [...]struct {
	must, may fieldSet
	content   bool
}{
	ToUser:      {setOf(fieldUser), setOf(fieldTime, fieldAt, fieldLife), true},
	ToRoom:      {setOf(fieldRoom), setOf(fieldTime), true},
	Join:        {setOf(fieldRoom), setOf(fieldPosition), false},
	Leave:       {setOf(fieldRoom), 0, false},
	Watch:       {0, setOf(fieldUser, fieldRoom), false}, // one of them
	Unwatch:     {0, setOf(fieldUser, fieldRoom), false}, // one of them
	Ask:         {setOf(fieldQuestion), setOf(fieldUser, fieldRoom, fieldPrefix, fieldAfter, fieldLimit), false},
	Message:     {setOf(fieldID, fieldTaken), setOf(fieldUser, fieldTime), true},
	Publication: {setOf(fieldRoom, fieldID, fieldPosition, fieldTaken), setOf(fieldUser, fieldTime), true},
	Receipt:     {setOf(fieldID, fieldState), setOf(fieldUser, fieldTaken, fieldCode, fieldReason), false},
	Joined:      {setOf(fieldRoom, fieldPosition, fieldState), setOf(fieldCount), false},
	Gap:         {setOf(fieldRoom, fieldPosition), 0, false},
	Presence:    {setOf(fieldUser, fieldDevice, fieldState, fieldStamp), setOf(fieldRoom, fieldTaken, fieldCount), false},
	Page:        {0, setOf(fieldAfter, fieldCount), true},
	Left:        {setOf(fieldRoom), setOf(fieldCode, fieldReason), false},
}

// MaxTime is the latest time and the longest life that a field holds, in ms: some year 5138.
const MaxTime = 100_000_000_000_000

// check holds a value to its rule.
func check(f field, v []byte) error {
	rule := &fieldRules[f]
	if len(v) < rule.min || len(v) > rule.max {
		return fmt.Errorf("%w: %s of %d bytes, want %d to %d", ErrField, rule.name, len(v), rule.min, rule.max)
	}
	if rule.text {
		return checkText(rule.name, v)
	}
	return nil
}

func checkText(name string, v []byte) error {
	for i := 0; i < len(v); {
		if c := v[i]; c >= 0x20 && c < 0x7f {
			i++
			continue
		}
		r, size := utf8.DecodeRune(v[i:])
		if r == utf8.RuneError && size == 1 {
			return fmt.Errorf("%w: %s is not UTF-8", ErrField, name)
		}
		if unicode.IsControl(r) {
			return fmt.Errorf("%w: %s has the control character %U", ErrField, name, r)
		}
		i += size
	}
	return nil
}

// checkWhole holds what is one condition on several fields, for Parse and Append alike.
func (e *Envelope) checkWhole() error {
	switch e.Kind {
	case Watch, Unwatch:
		if (len(e.User) == 0) == (len(e.Room) == 0) {
			return fmt.Errorf("%w: %s wants a user or a room", ErrField, e.Kind)
		}
	case Ask:
		if e.Question == RoomMembers && len(e.Room) == 0 || e.Question == UserDevices && len(e.User) == 0 {
			return fmt.Errorf("%w: question %d does not say about whom", ErrField, e.Question)
		}
	}
	if len(e.Content) > 0 && !kindRules[e.Kind].content {
		return fmt.Errorf("%w: %s has no content, here are %d bytes", ErrField, e.Kind, len(e.Content))
	}
	return nil
}
