package live

import (
	"bytes"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

type modes = unix.Termios

// readModes is nil when they cannot be read.
func readModes(terminal *os.File) *modes {
	m, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
	if err != nil {
		return nil
	}
	return m
}

// restoreModes leaves alone what a shell has set meanwhile: only a raw terminal, which does
// not process its output, is ours.
func restoreModes(terminal *os.File, before *modes) {
	if now := readModes(terminal); before != nil && now != nil && now.Oflag&unix.OPOST == 0 {
		_ = unix.IoctlSetTermios(int(terminal.Fd()), unix.TCSETS, before)
	}
}

// forgetInput throws away what the terminal has answered too late: the shell would take it
// for typed.
func forgetInput(terminal *os.File) {
	_ = unix.IoctlSetInt(int(terminal.Fd()), unix.TCFLSH, unix.TCIFLUSH)
}

// inForeground: this process is of the terminal's foreground group.
func inForeground(terminal *os.File) bool {
	group, err := unix.IoctlGetInt(int(terminal.Fd()), unix.TIOCGPGRP)
	return err != nil || group == unix.Getpgrp()
}

// canBeWoken: somebody of this session, but of another group, can send this group on after a
// stop. Where there is none, as in a container, the kernel does not stop it at all.
func canBeWoken() bool {
	session, err := unix.Getsid(0)
	if err != nil {
		return false
	}
	group := unix.Getpgrp()
	for pid := os.Getppid(); pid > 0; pid = parentOf(pid) {
		if s, err := unix.Getsid(pid); err != nil || s != session {
			return false
		}
		if g, err := unix.Getpgid(pid); err != nil || g != group {
			return err == nil
		}
	}
	return false
}

// parentOf is 0 when it is not known.
func parentOf(pid int) (parent int) {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)) // none: 0
	if i := bytes.LastIndex(stat, []byte(") ")); i >= 0 {
		_, _ = fmt.Sscanf(string(stat[i+2:]), "%c %d", new(rune), &parent)
	}
	return parent
}
