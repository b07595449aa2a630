//go:build !linux

package main

import (
	"os/exec"
	"syscall"
)

func childAttributes() *syscall.SysProcAttr { return nil }

func startDying(cmd *exec.Cmd) error { return cmd.Start() }
