package live

import (
	"bytes"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

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
