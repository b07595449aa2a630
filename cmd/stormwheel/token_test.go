package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func mint(t *testing.T, args ...string) string {
	t.Helper()
	p := stormwheel(t, append([]string{"token"}, args...)...)
	token := p.line()
	if code, _ := p.exit(); code != 0 {
		t.Fatalf("token ended with %d", code)
	}
	return token
}

// A token admits its client, no other, and is read anew for every attempt.
func TestTokensDecideWhoComesIn(t *testing.T) {
	secret := write(t, "secret", strings.Repeat("s", 32)+"\n")
	n := serve(t, "--auth-secret-file", secret)
	file := write(t, "token", mint(t, "--secret-file", secret, "--id", "alice"))

	bob := stormwheel(t, "connect", "--server", n.listen, "--id", "bob", "--token-file", file)
	if code, _ := bob.exit(); code != 1 {
		t.Fatalf("alice's token let bob in, or he left with %d", code)
	}
	if said := bob.stderr.String(); !strings.HasPrefix(said, "stormwheel: connect: server says unauthorized (3503)") ||
		!strings.Contains(said, "--token-file") || strings.Count(said, "stormwheel: ") != 1 {
		t.Errorf("bob is told %q", said)
	}
	gone := stormwheel(t, "connect", "--server", n.listen, "--id", "alice", "--token-file", file+".gone")
	if code, out := gone.exit(); code != 1 || len(out) != 0 || !strings.Contains(gone.stderr.String(), file+".gone") {
		t.Errorf("without its token file connect exits with %d: %q, %q", code, out, gone.stderr.String())
	}
	alice := stormwheel(t, "connect", "--server", n.listen, "--id", "alice", "--token-file", file)
	alice.until("connected")
	alice.say(":q")

	late := write(t, "late", "not a token")
	carol := stormwheel(t, "connect", "--server", n.listen, "--id", "carol", "--token-file", late)
	if code, _ := carol.exit(); code != 1 {
		t.Fatalf("junk let carol in, or she left with %d", code)
	}
}

func TestASecretThatIsTooShortIsRefused(t *testing.T) {
	short := write(t, "secret", "too short")
	for _, args := range [][]string{
		{"serve", "--listen", "127.0.0.1:0", "--auth-secret-file", short},
		{"serve", "--listen", "127.0.0.1:0", "--cluster-secret-file", short},
		{"token", "--secret-file", short, "--id", "alice"},
	} {
		p := stormwheel(t, args...)
		if code, out := p.exit(); code != 1 || len(out) != 0 {
			t.Errorf("%v: exit %d, output %q; want 1 and none", args, code, out)
		}
		if text := p.stderr.String(); !strings.Contains(text, short) || strings.Count(text, "\n") != 1 {
			t.Errorf("%v: %q, want one line that names the file", args, text)
		}
	}
}

func TestABenchWithoutTokensSaysWhyNobodyGotIn(t *testing.T) {
	t.Parallel() // it waits
	n := ready(t, stormwheel(t, "serve", "--listen", "127.0.0.1:0", "--auth-secret-file", write(t, "secret", strings.Repeat("s", 32))))
	p := stormwheel(t, "bench", "hold", "--target", n.listen, "--conns", "5", "--quiet")
	if code, _ := p.exit(); code != 1 || !strings.Contains(p.stderr.String(), "the first: server says unauthorized (3503)") {
		t.Errorf("exit %d: %s", code, p.stderr.String())
	}
}

// Half of the clients are asked for a token twice: they lose their node and come back.
func TestABenchBringsTokensOfTheSecret(t *testing.T) {
	secret := write(t, "secret", strings.Repeat("s", 32)+"\n")
	p := stormwheel(t, "bench", "storm", "--kind", "kill", "--spawn", "2", "--conns", "100", "--workers", "2",
		"--heartbeat", "500ms", "--timeout", "5s", "--auth-secret-file", secret, "--json", "-")
	_, out := p.exit()
	if r := resultOf(t, out); r.Conns.End != 100 || r.Storm.Back != r.Storm.Clients || r.Storm.Clients == 0 {
		t.Errorf("%+v, %+v; it said\n%s", r.Conns, r.Storm, p.stderr.String())
	}
	for file, want := range map[string]string{
		write(t, "short", "too short"): "at least 32 are needed",
		secret + ".gone":               "no such file",
	} {
		p := stormwheel(t, "bench", "hold", "--spawn", "1", "--auth-secret-file", file)
		if code, _ := p.exit(); code != exitUsage || !strings.Contains(p.stderr.String(), want) {
			t.Errorf("exit %d: %s, want %q", code, p.stderr.String(), want)
		}
	}
}

func TestATokenForNobodySaysWhichFlagIsMissing(t *testing.T) {
	p := stormwheel(t, "token")
	if code, _ := p.exit(); code != exitUsage || !strings.Contains(p.stderr.String(), "--id") || strings.Contains(p.stderr.String(), "codec") {
		t.Errorf("exit %d: %s", code, p.stderr.String())
	}
}

// Nodes learn a new secret beside the old one, tokens are made of the new one, and clients that
// still hold one of the old secret come in meanwhile.
func TestASecretIsChangedWhileClientsHoldTokensOfTheOld(t *testing.T) {
	old, fresh := strings.Repeat("o", 32), strings.Repeat("f", 32)
	both := write(t, "both", fresh+"\n"+old+"\n")
	n := serve(t, "--auth-secret-file", both, "--cluster-secret-file", both)
	for name, secret := range map[string]string{"old": write(t, "old", old), "new": both} {
		file := write(t, "token", mint(t, "--secret-file", secret, "--id", "alice"))
		alice := stormwheel(t, "connect", "--server", n.listen, "--id", "alice", "--token-file", file)
		alice.until("connected")
		alice.say(":q")
		if code, _ := alice.exit(); code != 0 {
			t.Errorf("with a token of the %s secret alice leaves with %d", name, code)
		}
	}
}
