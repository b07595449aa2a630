package hook

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

func secretOf(letter string) []byte { return []byte(strings.Repeat(letter, MinSecret)) }

// The example of the Standard Webhooks libraries.
func TestSignaturesAreThoseOfStandardWebhooks(t *testing.T) {
	secret, err := Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	got := sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("signature %s, want %s", got, want)
	}
	if raw, err := Secret("a text"); err != nil || string(raw) != "a text" {
		t.Errorf("a secret as text: %q, %v", raw, err)
	}
	if _, err := Secret("whsec_%"); err == nil {
		t.Error("a secret that is no base64 was taken")
	}
}

func TestVerifyTakesEitherSecretAndNoOldCall(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	body := []byte(`{}`)
	h := make(http.Header)
	signAll(h, [][]byte{secretOf("a"), secretOf("b")}, "msg_1", now, body)
	for _, c := range []struct {
		name   string
		now    time.Time
		body   string
		secret []byte
		want   error
	}{
		{"the first secret", now, `{}`, secretOf("a"), nil},
		{"the second", now, `{}`, secretOf("b"), nil},
		{"another", now, `{}`, secretOf("c"), ErrSignature},
		{"another body", now, `{ }`, secretOf("a"), ErrSignature},
		{"a clock that is off", now.Add(Tolerance), `{}`, secretOf("a"), nil},
		{"replayed", now.Add(Tolerance + time.Second), `{}`, secretOf("a"), ErrTime},
		{"from the future", now.Add(-Tolerance - time.Second), `{}`, secretOf("a"), ErrTime},
	} {
		if err := Verify(h, []byte(c.body), c.now, c.secret); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	h.Set(headerTime, strconv.FormatInt(now.Unix()+1, 10)) // replayed under a time of its own
	if err := Verify(h, body, now, secretOf("a")); !errors.Is(err, ErrSignature) {
		t.Errorf("with another time: %v, want ErrSignature", err)
	}
	h.Set(headerTime, strconv.FormatInt(now.Unix(), 10))
	h.Set(headerID, "msg_2")
	if err := Verify(h, body, now, secretOf("a")); !errors.Is(err, ErrSignature) {
		t.Errorf("with another id: %v, want ErrSignature", err)
	}
	if err := Verify(http.Header{}, body, now, secretOf("a")); !errors.Is(err, ErrTime) {
		t.Errorf("without headers: %v, want ErrTime", err)
	}
	if n := base64.StdEncoding.EncodedLen(32); len(h.Get(headerSignature)) != 2*(len(signed)+n)+1 {
		t.Errorf("two signatures are %q", h.Get(headerSignature))
	}
}
