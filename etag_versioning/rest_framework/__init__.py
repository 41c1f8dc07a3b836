"""For Django REST framework; the only part of the package that imports it."""
