package tlsrecord

import (
	"fmt"

	"github.com/stormwheel/stormwheel/internal/transport"
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

var alerts = map[Alert]string{
	CloseNotify: "close_notify", UnexpectedMessage: "unexpected_message", BadRecordMAC: "bad_record_mac",
	RecordOverflow: "record_overflow", IllegalParameter: "illegal_parameter", DecodeError: "decode_error",
	InternalError: "internal_error",

	40: "handshake_failure", 42: "bad_certificate", 43: "unsupported_certificate", 44: "certificate_revoked",
	45: "certificate_expired", 46: "certificate_unknown", 48: "unknown_ca", 49: "access_denied", 51: "decrypt_error",
	70: "protocol_version", 71: "insufficient_security", 86: "inappropriate_fallback", userCanceled: "user_canceled",
	109: "missing_extension", 110: "unsupported_extension", 112: "unrecognized_name",
	113: "bad_certificate_status_response", 115: "unknown_psk_identity", 116: "certificate_required",
	120: "no_application_protocol", 121: "ech_required",
}

// String is what the RFC calls it.
func (a Alert) String() string {
	if name, ok := alerts[a]; ok {
		return name
	}
	return fmt.Sprintf("alert %d", uint8(a))
}

// Fault is why this side ends a connection: the alert that it sends.
type Fault struct {
	Alert Alert
	What  string // the peer did
}

// Error tells it in one line.
func (f *Fault) Error() string { return fmt.Sprintf("tls: %v: %s", f.Alert, f.What) }

// Remote is why the peer ended the connection.
type Remote struct{ Alert Alert }

// Error tells it in one line.
func (r *Remote) Error() string { return "tls: the peer says " + r.Alert.String() }

// Unwrap says that it ended in the transport's own words.
func (r *Remote) Unwrap() error { return transport.ErrEnd }

func fault(c *conn, a Alert, what string) error {
	c.alert = a
	return &Fault{a, what}
}
