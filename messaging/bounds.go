package messaging

import "fmt"

// WithDefaults returns b with its zeros filled in, and with what is negative as large as can be.
func (b Bounds) WithDefaults() Bounds {
	const none = 1<<31 - 1
	for _, field := range []struct {
		v        *int
		fallback int
	}{{&b.UserRecords, 1000}, {&b.UserBytes, 1 << 20}, {&b.Records, 1_000_000}} {
		switch {
		case *field.v == 0:
			*field.v = field.fallback
		case *field.v < 0:
			*field.v = none
		}
	}
	switch {
	case b.Bytes == 0:
		b.Bytes = 256 << 20
	case b.Bytes < 0:
		b.Bytes = 1<<63 - 1
	}
	return b
}

// MaxRecord is the largest Body that a Store takes, in bytes: more than any frame holds.
const MaxRecord = 1 << 20

// CheckBatch returns an error of the first record that no Store takes: its user is no name, its body is
// too large, or a time is before 1970. Stores call it, so that one caller's mistake does not fail a
// commit that others share.
func CheckBatch(batch []Record) error {
	for i := range batch {
		r := &batch[i]
		if err := CheckUser(r.User); err != nil {
			return err
		}
		if len(r.Body) > MaxRecord {
			return fmt.Errorf("messaging: record of %d bytes, at most %d are stored", len(r.Body), MaxRecord)
		}
		if !r.Due.IsZero() && r.Due.UnixMilli() <= 0 || r.Put.UnixMilli() <= 0 || r.Expires.UnixMilli() <= 0 {
			return fmt.Errorf("messaging: record with Put %v, Due %v, Expires %v: each after 1970 (Due may be zero)", r.Put, r.Due, r.Expires)
		}
	}
	return nil
}

// CheckUser returns an error if no user can have the name.
func CheckUser(user string) error {
	if !ValidName(user) {
		return fmt.Errorf("messaging: %q is no user's name", user)
	}
	return nil
}
