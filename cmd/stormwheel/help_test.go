package main

import (
	"bytes"
	"os"
	"os/exec"
	"testing"
)

// Who reads the head of a help and goes, as head does, gets no word about it.
func TestAHelpThatIsNotReadToItsEndIsNoFault(t *testing.T) {
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out.Close()
	defer in.Close()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "bench", "--help")
	cmd.Env = append(os.Environ(), asCommand+"=1", "GORACE=atexit_sleep_ms=0")
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = in, &stderr
	if err := cmd.Run(); err != nil || stderr.Len() > 0 {
		t.Errorf("%v; it said %q", err, stderr.String())
	}
}
