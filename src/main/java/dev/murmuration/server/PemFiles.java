package dev.murmuration.server;

import dev.murmuration.files.BadFileException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateFactory;
import java.security.cert.CertificateNotYetValidException;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;

/**
 * A certificate and its key, in PEM (RFC 7468).
 *
 * @param certificates the server's own first, then those that vouch for it
 * @param key the private key of the first
 */
public record PemFiles(Path certificates, Path key) {
  private static final int MOST_BYTES = 1 << 20;
  private static final Pattern BLOCK =
      Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\\s]*)-----END \\1-----");

  /**
   * What makes connections secure with them.
   *
   * @throws IOException if a file cannot be read or does not hold what it should, or the two do not
   *     belong together
   */
  SSLContext context() throws IOException {
    List<X509Certificate> chain = chain();
    PrivateKey secret = secret(chain.getFirst().getPublicKey().getAlgorithm());
    requirePair(chain.getFirst().getPublicKey(), secret);
    try {
      KeyStore store = KeyStore.getInstance("PKCS12");
      store.load(null, null);
      char[] none = new char[0];
      store.setKeyEntry("server", secret, none, chain.toArray(Certificate[]::new));
      KeyManagerFactory keys =
          KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
      keys.init(store, none);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(keys.getKeyManagers(), null, null);
      return context;
    } catch (GeneralSecurityException e) {
      throw new IOException("TLS cannot be used with " + certificates + ": " + e.getMessage(), e);
    }
  }

  private static byte[] read(Path file) throws IOException {
    if (Files.size(file) > MOST_BYTES) {
      throw new BadFileException(
          file, "has more than " + MOST_BYTES + " bytes; it is no certificate and no key");
    }
    return Files.readAllBytes(file);
  }

  private List<X509Certificate> chain() throws IOException {
    List<X509Certificate> chain = new ArrayList<>();
    read(certificates);
    try (InputStream in = Files.newInputStream(certificates)) {
      for (Certificate one : CertificateFactory.getInstance("X.509").generateCertificates(in)) {
        chain.add((X509Certificate) one);
      }
    } catch (CertificateException e) {
      throw new BadFileException(certificates, "holds no certificate in PEM", e);
    }
    if (chain.isEmpty()) {
      throw new BadFileException(certificates, "holds no certificate in PEM");
    }
    try {
      chain.getFirst().checkValidity();
    } catch (CertificateExpiredException e) {
      throw new BadFileException(
          certificates,
          "was good until " + chain.getFirst().getNotAfter().toInstant() + "; renew it",
          e);
    } catch (CertificateNotYetValidException e) {
      throw new BadFileException(
          certificates, "is good from " + chain.getFirst().getNotBefore().toInstant() + " on", e);
    }
    return chain;
  }

  private PrivateKey secret(String algorithm) throws IOException {
    Matcher block = BLOCK.matcher(new String(read(key), StandardCharsets.ISO_8859_1));
    while (block.find()) {
      String label = block.group(1);
      if (label.equals("PRIVATE KEY")) {
        return secret(algorithm, block.group(2));
      }
      if (label.endsWith("PRIVATE KEY")) {
        throw new BadFileException(
            key,
            "holds a key as "
                + label
                + "; convert it: openssl pkcs8 -topk8 -nocrypt -in "
                + key
                + " -out key.pem");
      }
    }
    throw new BadFileException(key, "holds no private key in PEM (BEGIN PRIVATE KEY)");
  }

  private PrivateKey secret(String algorithm, String base64) throws BadFileException {
    try {
      byte[] bytes = Base64.getMimeDecoder().decode(base64);
      return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(bytes));
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      throw mismatch(e);
    }
  }

  /** Java itself would find out only when the first client connects. */
  private void requirePair(PublicKey open, PrivateKey secret) throws BadFileException {
    String name =
        open instanceof ECKey
            ? "SHA256withECDSA"
            : open.getAlgorithm().equals("RSA") ? "SHA256withRSA" : open.getAlgorithm();
    try {
      byte[] text = "murmuration".getBytes(StandardCharsets.US_ASCII);
      Signature signature = Signature.getInstance(name);
      signature.initSign(secret);
      signature.update(text);
      byte[] signed = signature.sign();
      signature.initVerify(open);
      signature.update(text);
      if (signature.verify(signed)) {
        return;
      }
    } catch (GeneralSecurityException e) {
      throw mismatch(e);
    }
    throw mismatch(null);
  }

  private BadFileException mismatch(Exception cause) {
    return new BadFileException(
        key, "is not the key of the certificate in " + certificates + "; give both of one", cause);
  }
}
