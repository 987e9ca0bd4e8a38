/** An application that scores a text. */
module consumer {
  requires dev.murmuration;
}
