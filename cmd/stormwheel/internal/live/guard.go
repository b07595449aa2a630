package live

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime/debug"
	"syscall"
)

// leave undoes what a program of this kind has set: synchronized output, the keyboard
// protocols, bracketed paste, the cursor, the alternate screen, colours.
const leave = "\x1b[?2026l\x1b[>4m\x1b[<1u\x1b[?2004l\x1b[?2027l\x1b[?25h\x1b[?1049l\x1b[0m\r"

// clean end: what the guard reads then before the end of its input.
const allIsWell = "\x00ok"

// watchOver starts the guard, a process that gives the terminal back if this one ends
// without doing so: by a panic, whose text it prints, or by SIGKILL. The function that is
// returned dismisses it.
func watchOver(command []string, out *os.File) (dismiss func()) {
	if len(command) == 0 {
		return func() {}
	}
	r, w, err := os.Pipe()
	if err != nil {
		return func() {}
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin, cmd.Stderr = r, out
	// In a session of its own: the terminal's hangup, when this process dies, would end a guard
	// that is still starting.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = cmd.Start()
	_ = r.Close()
	if err != nil {
		_ = w.Close()
		return func() {} // the screen does without
	}
	// The modes come from here: the guard would read those of the screen, if it was slow.
	_ = json.NewEncoder(w).Encode(readModes(out))
	// A crash writes here too; the copy keeps the pipe open for as long as this process lives.
	_ = debug.SetCrashOutput(w, debug.CrashOptions{})
	return func() {
		_ = debug.SetCrashOutput(nil, debug.CrashOptions{})
		_, _ = io.WriteString(w, allIsWell)
		_ = w.Close()
		_ = cmd.Wait()
	}
}

// Guard is the main of the guard. in ends when the process that it watches over does.
func Guard(in io.Reader, terminal *os.File) error {
	// What ends that process must not end this one first, and it may be in the background
	// by then.
	signal.Ignore(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGTTOU, syscall.SIGTSTP)
	all, err := io.ReadAll(in)
	if err != nil || bytes.HasSuffix(all, []byte(allIsWell)) {
		return err
	}
	line, last, _ := bytes.Cut(all, []byte("\n"))
	var before *modes
	if err := json.Unmarshal(line, &before); err != nil {
		return err
	}
	restoreModes(terminal, before)
	_, err = fmt.Fprintf(terminal, "%s%s", leave, last)
	return err
}
