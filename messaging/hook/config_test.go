package hook

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestAWrongURLIsRefusedInOneSentence(t *testing.T) {
	for _, c := range []struct{ url, want string }{
		{"", "as in https://app.example/hook"},
		{"app.example/hook", "as in https://app.example/hook"},
		{"ftp://app.example/", "as in https://app.example/hook"},
		{"https:///hook", "as in https://app.example/hook"},
		{"https:app.example", "as in https://app.example/hook"},
		{"https://app.example:http/", "cannot be read: invalid port"},
		{"https://user:sesame@app.example/", "no user and password"},
		{"https://user:se%same@app.example/", "cannot be read"},
		{"https://app.example/#here", "no #fragment"},
		{"https://app.example/\n", "cannot be read"},
	} {
		_, err := New(Config{URL: c.url})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "sesame") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, want %q", c.url, err, c.want)
		}
	}
	for _, cfg := range []Config{{Timeout: time.Millisecond}, {Timeout: time.Minute}, {Calls: -1}, {MaxQueued: -1}, {MaxQueuedBytes: -1},
		{Secrets: [][]byte{[]byte("short")}}} {
		cfg.URL = "http://localhost/"
		if _, err := New(cfg); err == nil {
			t.Errorf("%+v was taken", cfg)
		}
	}
	b, err := New(Config{URL: "http://localhost/"})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.SetSecrets([]byte("short")); !errors.Is(err, ErrSecret) {
		t.Errorf("SetSecrets: %v", err)
	}
}

func TestWhatCanBeReadOrForgedOnTheWayIsWarnedOf(t *testing.T) {
	secret := [][]byte{secretOf("s")}
	for _, c := range []struct {
		url     string
		secrets [][]byte
		plain   bool
		forged  bool
	}{
		{"http://127.0.0.1:8080/", nil, false, false},
		{"http://localhost/", nil, false, false},
		{"http://[::1]/", nil, false, false},
		{"https://app.example/", secret, false, false},
		{"https://app.example/", nil, false, true},
		{"http://app.example/", secret, true, false},
		{"http://192.0.2.1/", nil, true, true},
	} {
		var log bytes.Buffer
		if _, err := New(Config{URL: c.url, Secrets: c.secrets, Logger: slog.New(slog.NewTextHandler(&log, nil))}); err != nil {
			t.Fatal(err)
		}
		plain, forged := strings.Contains(log.String(), "http:// beyond"), strings.Contains(log.String(), "not signed")
		if plain != c.plain || forged != c.forged {
			t.Errorf("%s with %d secrets: log %q", c.url, len(c.secrets), log.String())
		}
	}
}
