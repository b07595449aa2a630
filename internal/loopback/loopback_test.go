package loopback

import "testing"

func TestHost(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "localhost:7001": true, "127.0.0.1": true, "127.1.2.3:80": true, "[::1]:80": true, "::1": true,
		"[::ffff:127.0.0.1]:80": true,
		"":                      false, "evil.example": false, "localhost.evil.example:80": false, "10.0.0.1": false, "[::2]:80": false, "127.0.0.1.evil": false,
	} {
		if got := Host(host); got != want {
			t.Errorf("Host(%q) = %v, want %v", host, got, want)
		}
	}
}
