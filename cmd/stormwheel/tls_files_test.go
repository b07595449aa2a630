package main

import (
	"bytes"
	"log/slog"
	"os"
	"testing"
	"time"
)

// Of a new certificate and its key the one that comes last may be the older file: who made them wrote
// the key first.
func TestAKeyThatComesBehindItsCertificateIsRead(t *testing.T) {
	now := time.Now()
	_, cert, key := pair(t, t.TempDir())
	want, newCert, newKey := pair(t, t.TempDir())
	for file, at := range map[string]time.Time{cert: now.Add(-time.Hour), key: now.Add(-time.Hour), newCert: now, newKey: now.Add(-time.Minute)} {
		if err := os.Chtimes(file, at, at); err != nil {
			t.Fatal(err)
		}
	}
	var c certificates
	if _, err := c.load(cert, key); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	log := slog.New(slog.NewTextHandler(&b, nil))
	for _, move := range [][2]string{{newCert, cert}, {newKey, key}} {
		if err := os.Rename(move[0], move[1]); err != nil {
			t.Fatal(err)
		}
		c.reread(log, false)
	}
	if own, err := c.pairs[0].GetCertificate(nil); err != nil || !bytes.Equal(own.Certificate[0], want.Certificate[0]) {
		t.Errorf("the old certificate is shown, %v:\n%s", err, b.String())
	}
}
