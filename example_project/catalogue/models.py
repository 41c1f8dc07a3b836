from django.db import models

from etag_versioning.models import VersionedModel


class Product(VersionedModel):
    sku = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    price = models.DecimalField(max_digits=10, decimal_places=2)
    stock = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ("id",)

    def __str__(self):
        return self.name
