from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from example_project.content import StrictJSONParser
from example_project.fields import StrictSerializer

from .models import Product


class ProductSerializer(StrictSerializer):
    class Meta:
        model = Product
        fields = ("id", "version", "updated_at", "sku", "name", "description", "price", "stock")


class ProductViewSet(VersionedModelViewSet):
    """Everybody sees the same. Clients edit it, so no cache may answer without asking."""

    queryset = Product.objects.all()
    serializer_class = ProductSerializer
    parser_classes = (StrictJSONParser,)
    cache_control = {"public": True, "no_cache": True}
