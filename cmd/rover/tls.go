package main

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"

	"github.com/callosum-go/rover"
	"github.com/urfave/cli/v3"
)

func dialerFlags() []cli.Flag {
	return []cli.Flag{
		&switchFlag{Name: "tls", Usage: "dial by TLS; each of the following implies it", HideDefault: true},
		&cli.StringFlag{Name: "tls-ca", Usage: "trust the certificates in `FILE` (PEM), no others", TakesFile: true},
		&cli.StringFlag{Name: "tls-server-name", Usage: "expect certificates for `NAME`, not for HOST"},
		&switchFlag{Name: "tls-insecure", Usage: "trust any certificate", HideDefault: true},
	}
}

// dialer is what the flags of dialerFlags ask for.
func dialer(c *cli.Command) (rover.Dialer, error) {
	config := &tls.Config{ServerName: c.String("tls-server-name"), InsecureSkipVerify: c.Bool("tls-insecure")}
	if file := c.String("tls-ca"); file != "" {
		pem, err := os.ReadFile(file)
		if err != nil {
			return nil, usagef("--tls-ca: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, usagef("--tls-ca: there is no certificate in %s, want PEM", file)
		}
	}
	if !c.Bool("tls") && config.RootCAs == nil && config.ServerName == "" && !config.InsecureSkipVerify {
		return new(net.Dialer), nil
	}
	return &tls.Dialer{Config: config}, nil
}

func listenerFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "tls-cert", Usage: "serve by TLS with the certificate in `FILE` (PEM)", TakesFile: true},
		&cli.StringFlag{Name: "tls-key", Usage: "and its key in `FILE` (PEM)", TakesFile: true},
	}
}

// tlsConfig is what the flags of listenerFlags ask for, nil for plain TCP.
func tlsConfig(c *cli.Command) (*tls.Config, error) {
	cert, key := c.String("tls-cert"), c.String("tls-key")
	switch {
	case cert == "" && key == "":
		return nil, nil
	case cert == "":
		return nil, usagef("--tls-key needs the certificate too: --tls-cert FILE")
	case key == "":
		return nil, usagef("--tls-cert needs the key too: --tls-key FILE")
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, usagef("--tls-cert, --tls-key: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}}, nil
}
