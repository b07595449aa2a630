//go:build !linux

package kit

import (
	"os/exec"
	"syscall"
)

func childAttributes() *syscall.SysProcAttr { return nil }

func startDying(cmd *exec.Cmd) error { return cmd.Start() }
