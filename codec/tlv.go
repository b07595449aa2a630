package codec

import (
	"encoding/binary"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// A TLV tail follows the fixed fields of HELLO, WELCOME, PING, PONG and GOAWAY: entries of one
// byte type, two bytes length, value. A receiver skips types that it does not know in
// this message. One that it knows occurs at most once: two readers that disagree on
// which of two tokens counts are a hole.
type tlv uint8

const (
	tlvClientID   tlv = 1
	tlvToken      tlv = 2
	tlvReturnPass tlv = 3
	tlvTicket     tlv = 4
	tlvNode       tlv = 5
	tlvAlternates tlv = 6
	tlvReason     tlv = 7
	tlvLimits     tlv = 8
	tlvExpires    tlv = 9
)

// tlvRules says what a value may be. Text ends up in logs and on terminals: it is UTF-8
// without control characters.
var tlvRules = [...]struct {
	name     string
	maxBytes int
	text     bool
}{
	tlvClientID:   {"client id", MaxClientID, true},
	tlvToken:      {"token", MaxToken, false},
	tlvReturnPass: {"return pass", MaxReturnPass, false},
	tlvTicket:     {"ticket", MaxTicket, false},
	tlvNode:       {"node", MaxNode, true},
	tlvAlternates: {"alternates", MaxAlternates, true},
	tlvReason:     {"reason", MaxReason, true},
	tlvLimits:     {"limits", maxLimits, false},
	tlvExpires:    {"expires", expiresLen, false},
}

// field ties a type to the place of its value in a message.
type field struct {
	t     tlv
	value *[]byte
}

const tlvHeaderLen = 3

// parseTail fills fields with views into tail and skips every other entry.
func parseTail(tail []byte, fields []field) error {
	for len(tail) > 0 {
		if len(tail) < tlvHeaderLen {
			return fmt.Errorf("%w: TLV header of %d bytes, %d left", ErrTruncated, tlvHeaderLen, len(tail))
		}
		t := tlv(tail[0])
		n := int(binary.BigEndian.Uint16(tail[1:]))
		tail = tail[tlvHeaderLen:]
		if len(tail) < n {
			return fmt.Errorf("%w: TLV %d of %d bytes, %d left", ErrTruncated, t, n, len(tail))
		}
		for _, f := range fields {
			if f.t != t {
				continue
			}
			if *f.value != nil {
				return fmt.Errorf("%w: %s occurs twice", ErrField, tlvRules[t].name)
			}
			*f.value = tail[:n:n]
		}
		tail = tail[n:]
	}
	return nil
}

// appendTail appends an entry for each value; an empty one is left out.
func appendTail(dst []byte, fields []field) []byte {
	for _, f := range fields {
		if len(*f.value) == 0 {
			continue
		}
		dst = append(dst, byte(f.t))
		dst = binary.BigEndian.AppendUint16(dst, uint16(len(*f.value)))
		dst = append(dst, *f.value...)
	}
	return dst
}

// checkFields holds every value to its rule.
func checkFields(fields []field) error {
	for _, f := range fields {
		rule, value := &tlvRules[f.t], *f.value
		if len(value) > rule.maxBytes {
			return fmt.Errorf("%w: %s has %d bytes, at most %d are allowed", ErrField, rule.name, len(value), rule.maxBytes)
		}
		if rule.text {
			if err := checkText(rule.name, value); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkText(name string, value []byte) error {
	for i := 0; i < len(value); {
		r, size := utf8.DecodeRune(value[i:])
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
