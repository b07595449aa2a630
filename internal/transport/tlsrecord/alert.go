package tlsrecord

import (
	"fmt"

	"crypto/tls"
)

// Alert is a TLS alert, RFC 8446, section 6. Zero is close_notify.
type Alert uint8

// The alerts that this side sends.
const (
	CloseNotify       Alert = 0
	UnexpectedMessage Alert = 10
	BadRecordMAC      Alert = 20
	RecordOverflow    Alert = 22
	IllegalParameter  Alert = 47
	DecodeError       Alert = 50
	InternalError     Alert = 80
)

const userCanceled = 90

const (
	levelWarning = 1
	levelFatal   = 2
)

// Error is what it is called.
func (a Alert) Error() string { return tls.AlertError(a).Error() }

// Fault is why this side ends a connection: the alert that it sends.
type Fault struct {
	Alert Alert
	What  string // the peer did
}

// Error tells it in one line.
func (f *Fault) Error() string { return fmt.Sprintf("%s (%s)", f.Alert.Error(), f.What) }

// Remote is why the peer ended the connection.
type Remote struct{ Alert Alert }

// Error tells it in one line.
func (r *Remote) Error() string { return "the peer says " + r.Alert.Error() }

func fault(c *conn, a Alert, what string) error {
	c.alert = a
	return &Fault{a, what}
}
