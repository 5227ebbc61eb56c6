package main

import (
	"context"
	"crypto/tls"
	"net"

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

// clientCertFlags are for who may be asked for a certificate of its own.
func clientCertFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "tls-cert", Usage: "show the certificate in `FILE` (PEM) to servers that ask", TakesFile: true},
		&cli.StringFlag{Name: "tls-key", Usage: "and its key in `FILE` (PEM)", TakesFile: true},
	}
}

// dialer is what the flags of dialerFlags ask for, and those of clientCertFlags
// if the command has them. Files are read again when they change; wrong is called
// if they are no good then.
func dialer(c *cli.Command, wrong func(error)) (rover.Dialer, error) {
	config := &tls.Config{ServerName: c.String("tls-server-name"), InsecureSkipVerify: c.Bool("tls-insecure")}
	d := secureDialer{config: func() *tls.Config { return config }}
	wanted := c.Bool("tls") || config.ServerName != "" || config.InsecureSkipVerify
	if cert, key, err := certFlags(c); err != nil {
		return nil, err
	} else if cert != "" {
		pair, err := watchPair(cert, key, wrong)
		if err != nil {
			return nil, usagef("--tls-cert, --tls-key: %w", err)
		}
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return pair.get(), nil }
		wanted = true
	}
	if file := c.String("tls-ca"); file != "" {
		trusted, err := watchCA(file, wrong)
		if err != nil {
			return nil, usagef("--tls-ca: %w", err)
		}
		d.config = func() *tls.Config {
			config := config.Clone()
			config.RootCAs = trusted.get()
			return config
		}
		wanted = true
	}
	if !wanted {
		return new(net.Dialer), nil
	}
	return d, nil
}

// A secureDialer dials by TLS with what is to be trusted now.
type secureDialer struct{ config func() *tls.Config }

func (d secureDialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return (&tls.Dialer{Config: d.config()}).DialContext(ctx, network, address)
}

func listenerFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "tls-cert", Usage: "serve by TLS with the certificate in `FILE` (PEM)", TakesFile: true},
		&cli.StringFlag{Name: "tls-key", Usage: "and its key in `FILE` (PEM)", TakesFile: true},
		&cli.StringFlag{Name: "tls-client-ca", Usage: "and only clients with a certificate of those in `FILE`", TakesFile: true},
	}
}

// certFlags are certificate and key, both or neither.
func certFlags(c *cli.Command) (cert, key string, err error) {
	cert, key = c.String("tls-cert"), c.String("tls-key")
	switch {
	case cert == "" && key != "":
		return "", "", usagef("--tls-key needs the certificate too: --tls-cert FILE")
	case cert != "" && key == "":
		return "", "", usagef("--tls-cert needs the key too: --tls-key FILE")
	}
	return cert, key, nil
}

// tlsConfig is what the flags of listenerFlags ask for, nil for plain TCP. Files
// are read again when they change; wrong is called if they are no good then.
func tlsConfig(c *cli.Command, wrong func(error)) (*tls.Config, error) {
	cert, key, err := certFlags(c)
	if err != nil {
		return nil, err
	}
	file := c.String("tls-client-ca")
	if cert == "" {
		if file != "" {
			return nil, usagef("--tls-client-ca needs a certificate of our own too: --tls-cert FILE --tls-key FILE")
		}
		return nil, nil
	}
	pair, err := watchPair(cert, key, wrong)
	if err != nil {
		return nil, usagef("--tls-cert, --tls-key: %w", err)
	}
	config := &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return pair.get(), nil }}
	if file == "" {
		return config, nil
	}
	trusted, err := watchCA(file, wrong)
	if err != nil {
		return nil, usagef("--tls-client-ca: %w", err)
	}
	config.ClientAuth = tls.RequireAndVerifyClientCert
	config.ClientCAs = trusted.get()
	with := config.Clone()
	config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		now := with.Clone()
		now.ClientCAs = trusted.get()
		return now, nil
	}
	return config, nil
}
