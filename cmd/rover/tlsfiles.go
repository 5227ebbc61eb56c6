package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// A watched is something made of files. It is made again when they have changed;
// if that fails, the last good one stays. Nothing watches them: who uses it looks,
// once a second at most.
type watched[T any] struct {
	files []string
	load  func() (T, error)
	wrong func(error) // called once for a change that is no good

	mu     sync.Mutex
	value  T
	infos  []os.FileInfo
	looked time.Time
}

const lookEvery = time.Second

// watch loads the value. An error is of this first time.
func watch[T any](load func() (T, error), wrong func(error), files ...string) (*watched[T], error) {
	w := &watched[T]{files: files, load: load, wrong: wrong, looked: time.Now()}
	w.infos, _ = w.stat()
	var err error
	w.value, err = load()
	return w, err
}

func (w *watched[T]) get() T {
	w.mu.Lock()
	defer w.mu.Unlock()
	if now := time.Now(); now.Sub(w.looked) >= lookEvery {
		w.looked = now
		w.look()
	}
	return w.value
}

func (w *watched[T]) look() {
	infos, err := w.stat()
	if err != nil || same(infos, w.infos) { // a file that is being replaced is there soon
		return
	}
	w.infos = infos
	value, err := w.load()
	if err != nil {
		w.wrong(fmt.Errorf("the former certificate stays: %w", err))
		return
	}
	w.value = value
}

func (w *watched[T]) stat() (infos []os.FileInfo, err error) {
	for _, file := range w.files {
		info, err := os.Stat(file)
		if err != nil {
			return nil, err
		}
		infos = append(infos, info)
	}
	return infos, nil
}

func same(a, b []os.FileInfo) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !os.SameFile(a[i], b[i]) || a[i].ModTime() != b[i].ModTime() || a[i].Size() != b[i].Size() {
			return false
		}
	}
	return true
}

// watchPair is a certificate and its key.
func watchPair(cert, key string, wrong func(error)) (*watched[*tls.Certificate], error) {
	return watch(func() (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(cert, key)
		return &pair, err
	}, wrong, cert, key)
}

// watchCA is the certificates that are trusted.
func watchCA(file string, wrong func(error)) (*watched[*x509.CertPool], error) {
	return watch(func() (*x509.CertPool, error) {
		pem, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, errors.New("there is no certificate in " + file + ", want PEM")
		}
		return pool, nil
	}, wrong, file)
}
