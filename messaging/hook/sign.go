package hook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Calls are signed as Standard Webhooks 1.0.0 has it: HMAC-SHA256 of "id.timestamp.body" in base64, one for
// each secret, each behind "v1,".
const (
	headerID        = "Webhook-Id"
	headerTime      = "Webhook-Timestamp"
	headerSignature = "Webhook-Signature"
	signed          = "v1,"
)

// Tolerance is how far a call's time may be from the clock of who verifies it.
const Tolerance = 5 * time.Minute

// The errors about secrets and signatures.
var (
	ErrSecret    = errors.New("hook: a secret is shorter than 24 bytes")                                  // New, SetSecrets
	ErrSignature = errors.New("hook: the call is signed by none of the secrets")                          // Verify
	ErrTime      = errors.New("hook: the call is older than five minutes, or from a clock that is ahead") // Verify
)

// Secret returns the bytes of a secret as people write it: base64 behind "whsec_", or the text itself.
func Secret(text string) ([]byte, error) {
	coded, is := strings.CutPrefix(text, "whsec_")
	if !is {
		return []byte(text), nil
	}
	secret, err := base64.StdEncoding.DecodeString(coded)
	if err != nil {
		return nil, errors.New("hook: what is behind whsec_ is no base64")
	}
	return secret, nil
}

// Verify tells whether a call is one of a node's that has one of the secrets, and not older than
// Tolerance: for back ends in Go. The errors are ErrTime and ErrSignature. Who must not take a call twice
// remembers the header webhook-id for twice the Tolerance.
func Verify(h http.Header, body []byte, now time.Time, secrets ...[]byte) error {
	at, err := strconv.ParseInt(h.Get(headerTime), 10, 64)
	if err != nil || now.Sub(time.Unix(at, 0)).Abs() > Tolerance {
		return ErrTime
	}
	for signature := range strings.FieldsSeq(h.Get(headerSignature)) {
		for _, secret := range secrets {
			if hmac.Equal([]byte(signature), []byte(sign(secret, h.Get(headerID), h.Get(headerTime), body))) {
				return nil
			}
		}
	}
	return ErrSignature
}

func sign(secret []byte, id, at string, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(id + "." + at + "."))
	mac.Write(body)
	return signed + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// signAll sets the headers of a call.
func signAll(h http.Header, secrets [][]byte, id string, at time.Time, body []byte) {
	stamp := strconv.FormatInt(at.Unix(), 10)
	h.Set(headerID, id)
	h.Set(headerTime, stamp)
	signatures := make([]string, len(secrets))
	for i, secret := range secrets {
		signatures[i] = sign(secret, id, stamp, body)
	}
	if len(signatures) > 0 {
		h.Set(headerSignature, strings.Join(signatures, " "))
	}
}
